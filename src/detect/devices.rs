//! Devices: the names of devices that some events name by their id alone, learned from all others.

use std::collections::{HashMap, HashSet};

use foldhash::fast::RandomState;

use super::profile::{Profiles, Symbol};
use crate::event::field::Norm;

/// A device: its organization and its key.
type Device = (Symbol, Symbol);

/// Names by device, of those devices that some event does not name.
#[derive(Debug, Default)]
pub struct Devices(HashMap<Device, Symbol, RandomState>);

impl Devices {
    /// Those of all profiles. Of several names of a device it is the first by the alphabet, so that the order of events
    /// does not matter. A name that several devices have tells none of them.
    pub fn new(profiles: &Profiles) -> Devices {
        let device =
            |profile| profiles.first(profile, Norm::DeviceKey).map(|key| (profiles.organization_symbol(profile), key));
        let is_nameless = |profile: &u32| profiles.first(*profile, Norm::DeviceName).is_none();
        let all = || 0..profiles.len();
        let nameless: HashSet<Device, RandomState> = all().filter(is_nameless).filter_map(device).collect();
        if nameless.is_empty() {
            return Devices::default();
        }
        let pair = |profile| Some((device(profile)?, profiles.first(profile, Norm::DeviceName)?));
        let named: HashSet<(Device, Symbol), RandomState> = all().filter_map(pair).collect();
        let mut bearers: HashMap<Device, u32, RandomState> = HashMap::default();
        named.iter().for_each(|((organization, _), name)| *bearers.entry((*organization, *name)).or_default() += 1);
        let mut known: HashMap<Device, Symbol, RandomState> = HashMap::default();
        for (device, name) in named {
            if !nameless.contains(&device) || bearers[&(device.0, name)] > 1 {
                continue;
            }
            let first = known.entry(device).or_insert(name);
            if profiles.symbol(name) < profiles.symbol(*first) {
                *first = name;
            }
        }
        Devices(known)
    }

    /// The name of the device of a profile.
    pub fn name(&self, profiles: &Profiles, profile: u32) -> Option<Symbol> {
        let key = profiles.first(profile, Norm::DeviceKey)?;
        self.0.get(&(profiles.organization_symbol(profile), key)).copied()
    }
}
